// A real upstream server that has changed one description: runs the given server and rewords what it says.
import { spawn } from 'node:child_process'

const [server = '', from = '', to = '', ...args] = process.argv.slice(2)
const child = spawn(process.execPath, [server, ...args], { stdio: ['inherit', 'pipe', 'ignore'] })
child.stdout.setEncoding('utf8').on('data', (text) => process.stdout.write(text.replaceAll(from, to)))
child.once('exit', () => process.exit())
