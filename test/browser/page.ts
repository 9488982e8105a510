import * as surfit from "surfit";
import { job, type JobResult } from "./job.ts";

declare global {
  interface Window {
    /** Runs the job and returns its result, for the test that drives this page. */
    runJob(): Promise<JobResult>;
    violations: string[];
  }
}

window.violations = [];
document.addEventListener("securitypolicyviolation", (e) => {
  window.violations.push(`${e.violatedDirective}: ${e.blockedURI} ${e.sourceFile ?? ""}`);
});
window.runJob = () => job(surfit, surfit.startWorkers());
