// The command that installs ffmpeg on this system.

/** Package managers of Linux by their programs, the most common ones first. */
const managers: Record<string, string> = {
  'apt-get': 'apt-get install ffmpeg',
  dnf: 'dnf install ffmpeg-free',
  pacman: 'pacman -S ffmpeg',
  zypper: 'zypper install ffmpeg',
  apk: 'apk add ffmpeg',
}

export interface System {
  platform: NodeJS.Platform
  isRoot: boolean
  /** True if a program of this name can be run. */
  has(program: string): Promise<boolean>
}

/** Undefined where no known package manager is installed. */
export async function installCommand({ platform, isRoot, has }: System): Promise<string | undefined> {
  if (platform === 'darwin') return 'brew install ffmpeg'
  if (platform === 'win32') return 'winget install ffmpeg'
  for (const [program, command] of Object.entries(managers))
    if (await has(program)) return isRoot ? command : `sudo ${command}`
  return undefined
}
