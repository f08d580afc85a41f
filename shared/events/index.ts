export { appendEvents, EVENTS_CHANNEL, recordEvent } from './append.ts'
export { canonicalJson, hashJson, sha256 } from './canonical-json.ts'
export { eventErrors } from './errors.ts'
export { type Fold, foldStream } from './fold-stream.ts'
export { type FollowOptions, follow } from './follow.ts'
export {
  catchUpProjection,
  defineProjection,
  type Projection,
  projectedPosition,
  projectionLag,
  projectionNamed,
  projectionNames,
  runProjection,
  type TableOf,
} from './projection.ts'
export { type EventFilter, lastEventAsOf, listEvents, readStream, tenantOf } from './read.ts'
export { rebuildProjection } from './rebuild.ts'
export { isSafe, lastPosition, type Mark, type Run, safePosition, takeMark } from './safe-mark.ts'
export { assertStorable, storableJson } from './storable.ts'
export {
  type CloudEvent,
  formatPosition,
  type NewEvent,
  parsePosition,
  START,
  type StoredEvent,
  toCloudEvent,
} from './stored-event.ts'
export { currentSchemaVersion, defineUpcaster, type Upcaster, upcast } from './upcast.ts'
