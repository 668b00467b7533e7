#!/usr/bin/env node
/** The command `cv`, also called `chronovisor`. Checks the Node it runs on before anything that an older one could not load. */
const needed = [22, 19]
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)

if (major < needed[0]! || (major === needed[0] && minor < needed[1]!)) {
  process.stderr.write(
    `cv: Chronovisor needs Node ${needed.join(".")} or newer and this is ${process.versions.node}; install a newer one, or run it from a checkout with npm start.\n`,
  )
  process.exitCode = 2
} else {
  const { main } = await import("./run-command-line.ts")
  main(process.argv.slice(2))
}

export {}
