/** What `npm run build` makes of the source: the program and the files it starts threads and processes with, all in one folder. */
import { defineConfig } from "rolldown"

export default defineConfig({
  input: [
    "src/cli/main.ts",
    "src/events/log-worker.ts",
    "src/host/region-compiler-worker.ts",
    "src/scenario/leg-process.ts",
  ],
  platform: "node",
  // A native module loads what stands beside it. Ink asks for the React tools only where somebody develops a screen.
  external: ["better-sqlite3", "react-devtools-core"],
  transform: { define: { "process.env.NODE_ENV": '"production"' } },
  output: { dir: "dist", format: "esm", cleanDir: true, minify: false },
})
