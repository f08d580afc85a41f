import { defineErrors } from '@story-portal/shared/errors'

export const faults = defineErrors(14, {
  nothingSaved: {
    number: 'E14001',
    code: 'NOT_FOUND',
    severity: 'info',
    message: 'Nothing was saved for {project} yet.',
    hint: 'Call save_context_snapshot; it creates what is missing.',
  },
  futureVersion: {
    number: 'E14002',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: 'The task is at version {version}; {expected} does not exist yet.',
    hint: 'Read the task with get_unified_context and send its version.',
  },
  tooLarge: {
    number: 'E14003',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: 'The merged context has {bytes} bytes; at most {most} are kept.',
    hint: 'Nothing was saved. Empty notes or done_steps with null, or begin another task.',
  },
  projectTaken: {
    number: 'E14010',
    code: 'CONFLICT',
    severity: 'info',
    message: 'That {what} belongs to the project {name} already.',
    hint: 'Use that project: send its name as project. Or choose another {what}.',
  },
  rootOutside: {
    number: 'E14011',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: "The root is not a folder in the project of the client's working directory.",
    hint: 'Leave root out for that project itself, or name a folder in it. A client that tells no folder can not set one.',
  },
  notLinkable: {
    number: 'E14012',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: 'These can not be linked so: {why}.',
    hint: 'Nothing was linked. Tasks of one project can have every relation; tasks and goals of planning can be depended on and related to.',
  },
  circle: {
    number: 'E14013',
    code: 'CONFLICT',
    severity: 'info',
    message: 'With this link, {relation} would go in a circle of {links} links.',
    hint: 'Nothing was linked. details.path is the circle: remove one of its links first, with link_tasks and remove.',
  },
  sessionOver: {
    number: 'E14030',
    code: 'CONFLICT',
    severity: 'info',
    message: 'The session {session} is {status}.',
    hint: 'Nothing was changed. Begin another with start_session; check_recovery gives back what this one left.',
  },
  otherProject: {
    number: 'E14031',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: 'The task {task} belongs to another project than the session.',
    hint: 'list_task_contexts shows the tasks of a project; start a session there.',
  },
})
