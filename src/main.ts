#!/usr/bin/env node
// Entry point: runs the program with the command line's arguments, and exits with its code.
import { fileURLToPath } from 'node:url'
import { runProgram } from './program.ts'
import { keepHeapSmall } from './system/small-heap.ts'

keepHeapSmall()

// Writers to stdout handle its errors; without this listener an error would also crash the process.
process.stdout.on('error', () => {})

const code = await runProgram(process.argv.slice(2), fileURLToPath(import.meta.url))
// Exits after stdout is flushed: an asynchronous stdout would lose output otherwise.
process.stdout.write('', () => process.exit(code))
