/** What `npm run build` makes of the source: the program and the files it starts threads and processes with, all in one folder. */
import { defineConfig, type Plugin } from "rolldown"
import { buildHartModule } from "./src/hart/hart-module.ts"
import type { PrebuiltModule } from "./src/hart/prebuilt-module.ts"

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64")

/** Puts the hart's WebAssembly module into the program. */
const prebuiltHart: Plugin = {
  name: "prebuilt-hart",
  load: id => {
    if (!id.replaceAll("\\", "/").endsWith("/src/hart/prebuilt-module.ts")) return null
    const { bytes, csrIndex, helpers } = buildHartModule()
    const prebuilt: PrebuiltModule = { bytes: base64(bytes), csrIndex: base64(csrIndex), helpers: [...helpers] }
    return `export const prebuilt = ${JSON.stringify(prebuilt)}`
  },
}

export default defineConfig({
  input: [
    "src/cli/main.ts",
    "src/events/log-worker.ts",
    "src/host/history-searcher.ts",
    "src/host/region-compiler-worker.ts",
    "src/scenario/leg-process.ts",
  ],
  platform: "node",
  // A native module loads what stands beside it. Ink asks for the React tools only where somebody develops a screen.
  external: ["better-sqlite3", "react-devtools-core"],
  plugins: [prebuiltHart],
  transform: { define: { "process.env.NODE_ENV": '"production"' } },
  output: { dir: "dist", format: "esm", cleanDir: true, minify: false },
})
