import { spawn } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { unpackCheckpoint } from "../src/fit/checkpoint.ts";
import { main, workplace } from "./command.ts";

const { folder, path, surfit } = workplace("interrupted");

const data = (file: string) => fileURLToPath(new URL(`../data/${file}.xyz.gz`, import.meta.url));

/** Every fifth frame of ethanol, which has nine atoms. */
function fewer(): string {
  const lines = gunzipSync(readFileSync(data("ethanol")))
    .toString()
    .split("\n");
  const kept = lines.filter((_, k) => Math.floor(k / 11) % 5 === 0);
  writeFileSync(path("ethanol.xyz"), `${kept.join("\n").trimEnd()}\n`);
  return "ethanol.xyz";
}

/** Starts a fit, sends SIGINT once its checkpoint has so many bytes, and says how it ended. */
function interrupt(args: readonly string[], run: string, bytes: number) {
  return new Promise<{ code: number | null; stderr: string }>((resolve) => {
    const child = spawn(process.execPath, [main, ...args], {
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    child.stderr.on("data", (text: Buffer) => (stderr += text.toString()));
    const checkpoint = path(`${run}/checkpoint`);
    const timer = setInterval(() => {
      if (!existsSync(checkpoint) || statSync(checkpoint).size < bytes) return;
      clearInterval(timer);
      child.kill("SIGINT");
    }, 5);
    child.on("close", (code) => {
      clearInterval(timer);
      resolve({ code, stderr });
    });
  });
}

/** The raw numbers of a model file: everything after the JSON header of the safetensors layout. */
function tensorsOf(run: string): Buffer {
  const file = readFileSync(path(`${run}/model.surfit`));
  return file.subarray(8 + Number(file.readBigUInt64LE(0)));
}

/** A second of work or more, and what its checkpoint holds of it half way: how much is done of how much. */
const cases = [
  {
    name: "sGDML, while factorising",
    frames: fewer,
    regressor: "symmetric-gradient-domain",
    own: ["--descriptor", "inverse-distances", "--set", "model.regressor.length=1"],
    stage: "factorising",
    // a panel of the 3150 columns
    bytes: 8 * 128 * 3000,
    done: ({ factor }: Record<string, Float64Array>) => factor[0] / 3150,
  },
  {
    name: "least squares, while making rows",
    frames: () => data("silicon"),
    regressor: "linear",
    own: ["--descriptor", "ace", "--set", "model.descriptor.cutoff=9", "--threads", "1"],
    stage: "making rows",
    bytes: 1,
    done: ({ rows }: Record<string, Float64Array>) => rows.reduce((a, b) => a + b, 0) / 4731,
  },
];

describe.each(cases)(
  "Ctrl-C: $name",
  { timeout: 120_000 },
  ({ frames, regressor, own, stage, bytes, done }) => {
    test("exits with 130, and goes on to the bits of a fit without a break", async () => {
      const words = [frames(), ...own, "--set", `model.regressor.name=${regressor}`];
      const sets = ["split.validation=0", "split.test=0"].flatMap((set) => ["--set", set]);
      const options = [...words, ...sets, "--checkpoint-every", "0.02"];
      const whole = surfit("fit", ...options, "-o", `${regressor}-whole`);
      expect([whole.code, whole.stderr]).toEqual([0, expect.any(String)]);

      const broken = `${regressor}-broken`;
      const { code, stderr } = await interrupt(["fit", ...options, "-o", broken], broken, bytes);
      expect([code, stderr]).toEqual([
        130,
        expect.stringMatching(`stopped while ${stage}; go on with: .*--resume`),
      ]);
      expect(existsSync(path(`${broken}/model.surfit`))).toBe(false);
      const share = done({ ...unpackCheckpoint(readFileSync(path(`${broken}/checkpoint`))).arrays });
      expect(share).toBeGreaterThan(0);
      expect(share).toBeLessThan(1);

      const rest = surfit("fit", `${broken}/fit.yaml`, "--resume", "--threads", "2");
      expect([rest.code, rest.stderr]).toEqual([0, expect.any(String)]);
      expect(tensorsOf(broken)).toEqual(tensorsOf(`${regressor}-whole`));
    });
  },
);
