/** What a program that is started needs of the environment to run at all; nothing that could hold a secret or lead it elsewhere. */
export function programEnvironment(): { PATH: string; HOME: string } {
  const { PATH = '', HOME = '' } = process.env
  return { PATH, HOME }
}
