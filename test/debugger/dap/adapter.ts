/** What a client starts: it can give no arguments. */
import { main } from "../../../src/cli/run-command-line.ts"

main(["dap"])
