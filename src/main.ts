#!/usr/bin/env node
// Entry point: runs the program with the command line's arguments, and exits with its code.
import { fileURLToPath } from 'node:url'
import { runProgram } from './program.ts'
import { keepHeapSmall } from './system/small-heap.ts'
import { optimiseNoWebAssembly } from './system/webassembly.ts'

keepHeapSmall()
optimiseNoWebAssembly()

// Writers to stdout handle its errors, and a host may stop reading stderr: without listeners both would end the process.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

const code = await runProgram(process.argv.slice(2), fileURLToPath(import.meta.url))
// Exits after stdout is flushed: an asynchronous stdout would lose output otherwise.
process.stdout.write('', () => process.exit(code))
