/** All migrations of the world file, in order. The number of them is the format version. */
import type { Migration, MigrationProvider } from "kysely/migration"
import * as world from "./001-world.ts"
import * as memoryMaps from "./002-memory-maps.ts"
import * as forks from "./003-forks.ts"
import * as writtenLines from "./004-written-lines.ts"

const migrations: Record<string, Migration> = {
  "001-world": world,
  "002-memory-maps": memoryMaps,
  "003-forks": forks,
  "004-written-lines": writtenLines,
}

export const formatVersion = Object.keys(migrations).length

export const migrationProvider: MigrationProvider = {
  getMigrations: async () => migrations,
}
