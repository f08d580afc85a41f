import { z } from 'zod'
import { faults } from '../errors.ts'
import { defineCapability } from './capability.ts'

/** What `secrets.<name>` becomes when code reads it as text: always denied, so that the attempt is on record. */
export default defineCapability({
  name: 'secrets.read',
  args: z.strictObject({ name: z.string().max(200) }),
  permit(_use, { name }) {
    throw faults.secretDenied({ name, why: 'is never text' })
  },
  effectOf: () => 'pure',
  run: async () => null,
})
