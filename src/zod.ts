import { config } from "zod";

// zod would try `new Function` to speed itself up, which a page's content security policy may report as a violation.
config({ jitless: true });

export * from "zod";
