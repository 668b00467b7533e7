/** Content that was read and is not what was written there: what the readers throw before it becomes a WorldDamaged. */
export class ContentDamaged extends Error {}
