// The manifest of a bundle (MCPB 0.3): what the client shows, asks for and starts.

/** A value that the client fills in. */
const variable = name => `\${${name}}`
const user = name => variable(`user_config.${name}`)

/** Platforms, and the packages of libsql's native part that each bundle contains. */
export const platforms = {
  darwin: ['@libsql/darwin-arm64', '@libsql/darwin-x64'],
  win32: ['@libsql/win32-x64-msvc'],
  linux: ['@libsql/linux-x64-gnu', '@libsql/linux-arm64-gnu'],
}

const secret = (title, description) => ({
  type: 'string',
  title,
  description,
  sensitive: true,
  required: false,
})

const userConfig = {
  api_key: {
    ...secret('Model Studio API key', 'Key of Alibaba Cloud Model Studio, Singapore region (sk-…).'),
    required: true,
  },
  allowed_dirs: {
    type: 'directory',
    title: 'Folders with recordings',
    description: 'The program reads recordings and saves transcripts only in these folders.',
    multiple: true,
    required: true,
    default: [variable('DOCUMENTS'), variable('DOWNLOADS'), variable('DESKTOP')],
  },
  ffmpeg_path: {
    type: 'file',
    title: 'ffmpeg',
    description: 'Path of ffmpeg, where it is not installed for the whole system.',
    required: false,
  },
  gemini_key: secret('Gemini API key', 'Optional: formats text where the models of Model Studio fail.'),
  oss_bucket: {
    type: 'string',
    title: 'OSS bucket',
    description: 'Optional: your bucket for uploads in place of the provider’s temporary store.',
    required: false,
  },
  oss_endpoint: {
    type: 'string',
    title: 'OSS endpoint',
    description: 'Public endpoint of the bucket’s region, such as https://oss-ap-southeast-1.aliyuncs.com.',
    required: false,
  },
  oss_key_id: secret('AccessKey ID for the bucket', 'Of a RAM user that may use only this bucket.'),
  oss_key_secret: secret('AccessKey secret for the bucket', 'Secret of that AccessKey.'),
}

/** Settings that the client fills in; a field that the user leaves empty counts as unset. */
export const environment = {
  DASHSCOPE_API_KEY: user('api_key'),
  FFMPEG_PATH: user('ffmpeg_path'),
  GEMINI_API_KEY: user('gemini_key'),
  OSS_BUCKET: user('oss_bucket'),
  OSS_ENDPOINT: user('oss_endpoint'),
  OSS_ACCESS_KEY_ID: user('oss_key_id'),
  OSS_ACCESS_KEY_SECRET: user('oss_key_secret'),
}

/** `project`: package.json; `tools`: names and titles, as the program lists them. */
export function manifestOf(project, platform, tools) {
  return {
    manifest_version: '0.3',
    name: project.name,
    display_name: 'Speech',
    version: project.version,
    description: 'Transcribes recordings, tells speakers apart, and formats text.',
    long_description:
      'Speech recognition with Alibaba Cloud Model Studio, billed to your own key. Recordings are read on this machine ' +
      'and sent to the provider in parts; transcripts stay on this machine. It needs ffmpeg: `brew install ffmpeg`, ' +
      '`winget install ffmpeg` or `apt install ffmpeg`. Nothing is sent to the authors of this program.',
    author: { name: 'The speech-mcp authors' },
    license: project.license,
    icon: 'icon.png',
    keywords: project.keywords,
    server: {
      type: 'node',
      entry_point: 'server/start.mjs',
      mcp_config: {
        command: 'node',
        args: [`${variable('__dirname')}/server/start.mjs`, user('allowed_dirs')],
        env: environment,
      },
    },
    tools: tools.map(({ name, title }) => ({ name, description: title ?? name })),
    prompts_generated: true,
    compatibility: { platforms: [platform], runtimes: { node: project.engines.node } },
    user_config: userConfig,
    privacy_policies: [
      'https://www.alibabacloud.com/help/en/legal/latest/alibaba-cloud-international-website-privacy-policy',
      'https://policies.google.com/privacy',
    ],
  }
}
