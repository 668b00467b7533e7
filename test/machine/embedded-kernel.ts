/** The embedded guest as a kernel. */
import { readFileSync } from "node:fs"
import { readKernelImage } from "../../src/machine/kernel-image.ts"

const program = readKernelImage(
  new Uint8Array(readFileSync(new URL("../../scenarios/guests/embedded/embedded.elf", import.meta.url))),
)
if (!program.ok || program.image.kind === "gzip") throw new Error("the embedded guest is no kernel")
export const embeddedKernel = program.image
