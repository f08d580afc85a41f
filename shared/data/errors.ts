import { defineErrors } from '../errors/index.ts'

/** Cases of the records (E04xx). */
export const recordErrors = defineErrors(0, {
  unknownKind: {
    number: 'E0401',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: 'There is no kind of record called {kind}.',
    hint: 'Kinds: {known}.',
  },
  badFields: {
    number: 'E0402',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: 'The {kind} does not fit: {summary}',
    hint: 'Correct the fields named in details.faults. Fields of a {kind}: {fields}.',
  },
  managedField: {
    number: 'E0403',
    code: 'CONFLICT',
    severity: 'info',
    message: '{field} of a {kind} is changed by the platform only.',
    hint: '{managed_by}',
  },
  managedKind: {
    number: 'E0404',
    code: 'CONFLICT',
    severity: 'info',
    message: 'A {kind} can not be {verb} as a bare record.',
    hint: '{managed_by}',
  },
  badFilter: {
    number: 'E0405',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: 'The filter, sort or query does not fit: {summary}',
    hint: 'A condition is a value, or an object of eq, ne, in, gt, gte, lt, lte, contains, is_null. Fields of a {kind}: {fields}.',
  },
  notDeleted: {
    number: 'E0406',
    code: 'CONFLICT',
    severity: 'info',
    message: 'The {kind} {id} is not deleted.',
    hint: 'Nothing to restore; read it with get_record.',
  },
  badAsOf: {
    number: 'E0407',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: '{as_of} is neither a time nor a position of the event log.',
    hint: 'Send an ISO 8601 time such as 2026-11-23T04:31:31.123Z, or the position of an event.',
  },
  notYet: {
    number: 'E0408',
    code: 'NOT_FOUND',
    severity: 'info',
    message: 'The {kind} {id} did not exist at {as_of}.',
    hint: 'get_record_history shows when it came and went.',
  },
  badConfiguration: {
    number: 'E0409',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: 'The value does not fit the schema of {key}: {summary}',
    hint: 'Correct the places named in details.faults; get_configuration shows the schema.',
  },
  badSchema: {
    number: 'E0410',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: 'The schema of {key} is not a JSON Schema this platform can check.',
    hint: 'Send a JSON Schema (draft 2020-12) without remote references.',
  },
  taken: {
    number: 'E0411',
    code: 'CONFLICT',
    severity: 'info',
    message: 'There is a {kind} with that {fields} already.',
    hint: 'Read the one that exists with list_records, or choose another value.',
  },
})
