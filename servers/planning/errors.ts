import { defineErrors } from '@story-portal/shared/errors'

export const planningErrors = defineErrors(5, {
  kindUnavailable: {
    number: 'E5001',
    code: 'UNAVAILABLE',
    severity: 'info',
    message: 'Tasks of kind {kind} can not run yet: {missing} is not part of this installation.',
    hint: 'Use kind code, tool or assistant; details.faults names the tasks. An assistant task can do what a model would.',
  },
  modelUnavailable: {
    number: 'E5002',
    code: 'UNAVAILABLE',
    severity: 'info',
    message: 'No plan can be made by a model: the model gateway is not part of this installation.',
    hint: 'Send your own tasks, or strategy "template" with one of: {templates}.',
  },
  noTasks: {
    number: 'E5003',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: 'Strategy "steps" needs tasks.',
    hint: 'Send tasks: [{key, kind, ...}], or strategy "template" with one of: {templates}.',
  },
  unknownTemplate: {
    number: 'E5004',
    code: 'NOT_FOUND',
    severity: 'info',
    message: 'There is no template {template}.',
    hint: 'Choose one of details.templates, with its parameters.',
  },
  badParameters: {
    number: 'E5005',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: 'The parameters do not fit template {template}: {first}',
    hint: 'Correct every entry of details.faults; details.templates shows the parameters.',
  },
  goalEnded: {
    number: 'E5006',
    code: 'CONFLICT',
    severity: 'info',
    message: 'Goal {goal} is {status} and takes no more plans.',
    hint: 'Create a new goal with create_goal.',
  },
  goalBusy: {
    number: 'E5007',
    code: 'CONFLICT',
    severity: 'info',
    message: 'Goal {goal} has a plan that is still open: {plan} is {status}.',
    hint: 'Let it end or call cancel_plan first.',
  },
  reportedFailure: {
    number: 'E5008',
    code: 'CONFLICT',
    severity: 'warning',
    message: 'Its worker reported a failure: {message}',
    hint: 'details.error is what the worker sent; correct the task with revise_plan.',
  },
  outputDiffers: {
    number: 'E5009',
    code: 'CONFLICT',
    severity: 'info',
    message: 'Task {task} was already completed under this lease with another output.',
    hint: 'The recorded output stands; read it with get_plan.',
  },
  conflictingPlanSource: {
    number: 'E5010',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: 'Strategy "{strategy}" does not take {field}.',
    hint: 'Leave {field} out, or choose strategy "auto".',
  },
})
