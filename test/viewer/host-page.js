// A host of MCP Apps in the browser: it opens the page of `?id=` in a frame, and passes its requests to the server.
import { AppBridge, PostMessageTransport } from '@modelcontextprotocol/ext-apps/app-bridge'

async function open() {
  const { html, input, result } = await (await fetch(`call${location.search}`)).json()
  const frame = document.createElement('iframe')
  // As hosts do: an origin of its own.
  frame.setAttribute('sandbox', 'allow-scripts')
  frame.style.cssText = 'width:100%;height:600px'
  document.body.append(frame)
  const host = { told: [], files: [], frame }
  Object.assign(globalThis, { host })
  const saves = !location.search.includes('plain')
  const capabilities = {
    ...{ serverTools: {}, serverResources: {}, updateModelContext: { text: {} } },
    ...(saves && { downloadFile: {} }),
  }
  const bridge = new AppBridge(null, { name: 'host', version: '1' }, capabilities, {
    hostContext: { theme: 'dark' },
  })
  bridge.onreadresource = async ({ uri }) => {
    const response = await fetch(`read?uri=${encodeURIComponent(uri)}`)
    if (!response.ok) throw new Error(await response.text())
    return response.json()
  }
  bridge.oncalltool = async ({ name, arguments: given }) => {
    const response = await fetch('tool', { method: 'POST', body: JSON.stringify({ name, arguments: given }) })
    return response.json()
  }
  bridge.ondownloadfile = async ({ contents }) => {
    host.files.push(...contents)
    return {}
  }
  bridge.onupdatemodelcontext = async params => {
    host.told.push(params)
    return {}
  }
  bridge.oninitialized = () => {
    bridge.sendToolInput({ arguments: input })
    bridge.sendToolResult(result)
  }
  await bridge.connect(new PostMessageTransport(frame.contentWindow, frame.contentWindow))
  frame.srcdoc = html
}

void open()
