import { defineErrors } from '../errors/index.ts'

/** Cases of the event log (E03xx). */
export const eventErrors = defineErrors(0, {
  notJson: {
    number: 'E0301',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: '{path} is not JSON: {reason}',
    hint: 'Send objects, arrays, strings, finite numbers, true, false and null only.',
  },
  notStorableText: {
    number: 'E0302',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: '{path} holds {what}, which the database can not store.',
    hint: 'Remove the character, or encode the bytes (base64) before you send them.',
  },
  unknownProjection: {
    number: 'E0303',
    code: 'NOT_FOUND',
    severity: 'info',
    message: 'There is no projection {name}.',
    hint: 'Known projections: {known}.',
  },
  rebuildReplaced: {
    number: 'E0304',
    code: 'CONFLICT',
    severity: 'info',
    message: 'Another rebuild of {name} began and replaced this one.',
    hint: 'Wait for the newer rebuild; its result is the one that counts.',
  },
  newerThanKnown: {
    number: 'E0305',
    code: 'INTERNAL',
    severity: 'critical',
    message: 'Events of type {type} are at schema version {version}, newer than this program knows ({known}).',
    hint: 'Run the newer program; a rolled back one can not read events of its successor.',
  },
  badStream: {
    number: 'E0306',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: '{stream} is not a stream name that may be written to: {reason}',
    hint: 'Use letters, digits and . _ : / - (at most 200), for example build/42; records change by update_record.',
  },
  badEventType: {
    number: 'E0307',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: '{type} is not an event type that is known here: {reason}',
    hint: 'Use words of a-z, 0-9 and _ joined by dots, for example build.finished; known record types: {known}.',
  },
  badPosition: {
    number: 'E0308',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: '{position} is not a position of the event log.',
    hint: 'Use the position of an event as list_events or append_event gave it, unchanged.',
  },
})
