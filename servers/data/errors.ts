import { defineErrors } from '@story-portal/shared/errors'

/** Cases of the data server (E1xxx). */
export const dataErrors = defineErrors(1, {
  noConfiguration: {
    number: 'E1001',
    code: 'NOT_FOUND',
    severity: 'info',
    message: 'There is no configuration {key}.',
    hint: 'list_configurations names those that exist; set_configuration makes one.',
  },
})
