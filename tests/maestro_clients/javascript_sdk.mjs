// The calls of the JavaScript SDK 1.2.3, byte for byte as axios and form-data put them on the wire, and no more read
// from the answers than that SDK and its users read.
//
//     node javascript_sdk.mjs SERVER LOGIN KEY WORKSPACE AUTOMATION
//
// prints a line of JSON for each scenario: its name, and what went wrong or null.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import http from 'node:http'
import zlib from 'node:zlib'

const [server, login, key, workspace, automation] = process.argv.slice(2)
const agent = new http.Agent({ keepAlive: true })
const MIME = { txt: 'text/plain', png: 'image/png', pdf: 'application/pdf' }
const DECODERS = { gzip: zlib.gunzipSync, deflate: zlib.inflateSync, br: zlib.brotliDecompressSync }
const PNG = Buffer.from('89504e470d0a1a0a0000000d4948445200000001000000010806000000', 'hex')

// What axios rejects with; the SDK reads error.response.data.message of it, and looks no further.
class Refused extends Error {
  constructor (status, data) {
    super(`Request failed with status code ${status}`)
    this.response = { status, data }
  }
}

// axios parses any text that is JSON, whatever its type says, and leaves the others as they are.
const parsed = (bytes) => {
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '')
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const send = (method, path, { headers = {}, type, body, raw = false }) =>
  new Promise((resolve, reject) => {
    const url = new URL(server + path)
    const request = http.request(url, {
      method,
      agent,
      headers: {
        Accept: 'application/json, text/plain, */*',
        ...(type && { 'Content-Type': type }),
        ...headers,
        'User-Agent': 'axios/1.21.1',
        ...(body && { 'Content-Length': body.length }),
        'Accept-Encoding': 'gzip, compress, deflate, br',
        Host: url.host
      }
    })
    request.on('error', reject)
    request.on('response', (response) => {
      const pieces = []
      response.on('data', (piece) => pieces.push(piece))
      response.on('end', () => {
        const decode = DECODERS[response.headers['content-encoding']] ?? ((bytes) => bytes)
        const bytes = decode(Buffer.concat(pieces))
        const fine = response.statusCode >= 200 && response.statusCode < 300
        const data = raw ? bytes : parsed(bytes)
        if (fine) resolve(data)
        else reject(new Refused(response.statusCode, data))
      })
    })
    request.end(body)
  })

class Sdk {
  accessToken = ''

  async login (withKey = key) {
    const body = Buffer.from(JSON.stringify({ login, key: withKey }))
    const data = await send('POST', '/api/v2/workspace/login', { type: 'application/json', body })
    this.accessToken = data.accessToken
  }

  get headers () {
    return { token: this.accessToken, organization: login }
  }

  // Whatever is refused becomes an Error of the message, read without a look.
  async call (method, path, more = {}) {
    return await send(method, path, { headers: this.headers, ...more }).catch((error) => {
      throw new Error(error.response.data.message)
    })
  }

  post (path, value) {
    return this.call('POST', path, { type: 'application/json', body: Buffer.from(JSON.stringify(value)) })
  }

  createTask (activityLabel, parameters, test = false, priority = 0, minExecutionDate = null) {
    const date = minExecutionDate instanceof Date ? minExecutionDate.toISOString() : null
    return this.post('/api/v2/task', { activityLabel, test, parameters, priority, minExecutionDate: date })
  }

  finishTask (id, finishStatus, finishMessage = '', totalItems = null, processedItems = null, failedItems = null) {
    const items = { totalItems, processedItems, failedItems }
    return this.post(`/api/v2/task/${id}`, { state: 'FINISHED', finishStatus, finishMessage, ...items })
  }

  getTask (id) { return this.call('GET', `/api/v2/task/${id}`) }
  restartTask (id) { return this.post(`/api/v2/task/${id}`, { state: 'START' }) }
  interruptTask (id) { return this.post(`/api/v2/task/${id}`, { interrupted: true }) }

  createLog (activityLabel, columns) {
    return this.post('/api/v2/log', { activityLabel, columns, organizationLabel: login })
  }

  getLogs () { return this.call('GET', '/api/v2/log') }
  getLog (id) { return this.call('GET', `/api/v2/log/${id}`) }
  fetchDataLog (id, days = 7) { return this.call('GET', `/api/v2/log/${id}/entry-list?days=${days}`) }
  deleteLog (id) { return this.call('DELETE', `/api/v2/log/${id}`) }
  logEntry (id, content) { return this.post(`/api/v2/log/${id}/entry`, content) }
  downloadCsvLog (id, days = 7) {
    return this.call('GET', `/api/v2/log/${id}/export?days=${days}&format=csv`, { raw: true })
  }

  createAlert (taskId, title, message, type) { return this.post('/api/v2/alerts', { taskId, title, message, type }) }
  createMessage (emails, logins = [], subject, body, type) {
    return this.post('/api/v2/message', { emails, logins, subject, body, type })
  }

  // form-data names a part after its file, quoted and in UTF-8, and says the type that the suffix tells.
  upload (path, name, bytes) {
    const boundary = '--------------------------' + randomBytes(12).toString('hex')
    const head =
      `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\n` +
      `Content-Type: ${MIME[name.split('.').pop()]}\r\n\r\n`
    const body = Buffer.concat([Buffer.from(head), bytes, Buffer.from(`\r\n--${boundary}--\r\n`)])
    return this.call('POST', path, { type: `multipart/form-data; boundary=${boundary}`, body })
  }

  async uploadArtifact (taskId, name, filename, path, bytes) {
    const artifact = await this.post('/api/v2/artifact', { taskId, name, filename })
    await this.upload(`/api/v2/artifact/log/${artifact.id}`, path, bytes)
    return artifact
  }

  getArtifacts (size, page, sort = ['dateCreation'], days = '7') {
    return this.call('GET', `/api/v2/artifact?size=${size}&page=${page}&sort=${sort.join(',')}&days=${days}`)
  }

  downloadArtifact (id) { return this.call('GET', `/api/v2/artifact/${id}/file`, { raw: true }) }

  async createError (taskId, error, tags, screenshot, attachments) {
    const said = { type: error.constructor.name, message: error.message, stackTrace: error.stack }
    const created = await this.post('/api/v2/error', { taskId, ...said, language: 'JAVASCRIPT', tags })
    if (screenshot) await this.upload(`/api/v2/error/${created.id}/screenshot`, 'screen.png', screenshot)
    for (const [name, bytes] of [...attachments, ['npmlist.txt', Buffer.from('{}')]]) {
      await this.upload(`/api/v2/error/${created.id}/attachments`, name, bytes)
    }
    return created
  }

  getCredential (label, name) { return this.call('GET', encodeURI(`/api/v2/credential/${label}/key/${name}`)) }

  getCredentialByLabel (label) {
    return send('GET', `/api/v2/credential/${label}`, { headers: this.headers }).catch(() => null)
  }

  async createCredential (label, name, value) {
    if ((await this.getCredentialByLabel(label)) == null) {
      return await this.post('/api/v2/credential', { label, secrets: [{ key: name, value, valid: true }] })
    }
    return await this.post(`/api/v2/credential/${label}/key`, { key: name, value })
  }
}

const column = (name, label, width) => ({ name, label, width, object: { name, label, width } })
const unique = (name) => `${name}-${randomBytes(6).toString('hex')}`
const hourAgo = () => new Date(Date.now() - 3600_000)

const refusal = async (call) => {
  const error = await call().then(() => null, (thrown) => thrown)
  assert.ok(error instanceof Error && !(error instanceof TypeError), `no refusal that can be read: ${error}`)
  assert.ok(error.message !== '' && error.message !== 'undefined', `the refusal says '${error.message}'`)
  return error.message
}

const PARAMETERS = { text: 'ação 漢字 🤖', integer_to_test: 123, double_to_test: 0.25, yes: true, none: null }
const scenarios = []
const scenario = (name, play) => scenarios.push({ name, play })

scenario("a wrong key is refused with 401 and a message", async () => {
  const error = await new Sdk().login('wrong').then(() => null, (thrown) => thrown)
  assert.equal(error.response.status, 401)
  assert.equal(typeof error.response.data.message, 'string')
})

scenario("a token that nobody gave is refused with a message", async (sdk) => {
  const stranger = new Sdk()
  stranger.accessToken = `${sdk.accessToken}x`
  await refusal(() => stranger.getTask(1))
})

scenario("a task is created and read back with its parameters as they were", async (sdk) => {
  const task = await sdk.createTask(automation, PARAMETERS, false, 7, hourAgo())
  const read = await sdk.getTask(task.id)

  assert.equal(typeof task.id, 'number')
  assert.equal(read.activityLabel, automation)
  assert.deepEqual(read.parameters, PARAMETERS)
  assert.deepEqual([read.state, read.priority, read.test], ['START', 7, false])
  assert.ok(!Number.isNaN(Date.parse(read.dateCreation)) && !Number.isNaN(Date.parse(read.minExecutionDate)))
})

scenario("a date before which a task may not start is UTC", async (sdk) => {
  const tomorrow = new Date(Date.now() + 24 * 3600_000)
  const task = await sdk.createTask(automation, {}, false, 0, tomorrow)
  assert.equal(Date.parse(task.minExecutionDate), tomorrow.getTime())
})

scenario("an interrupt tells that the task is interrupted", async (sdk) => {
  const task = await sdk.createTask(automation, {}, true)
  assert.equal((await sdk.interruptTask(task.id)).interrupted, true)
})

scenario("a task is finished again and again, each time with another status", async (sdk) => {
  const task = await sdk.createTask(automation, {})
  for (const status of ['SUCCESS', 'PARTIALLY_COMPLETED', 'FAILED', 'SUCCESS']) {
    const finished = await sdk.finishTask(task.id, status, `Task finished: ${status}.`)
    assert.deepEqual([finished.state, finished.finishStatus], ['FINISHED', status])
    assert.equal(finished.finishMessage, `Task finished: ${status}.`)
  }
})

scenario("items are counted, and null takes them back", async (sdk) => {
  const task = await sdk.createTask(automation, {})
  const counted = await sdk.finishTask(task.id, 'SUCCESS', '', 10, 5, 5)
  assert.deepEqual([counted.totalItems, counted.processedItems, counted.failedItems], [10, 5, 5])

  const bare = await sdk.finishTask(task.id, 'SUCCESS')
  assert.deepEqual([bare.totalItems, bare.processedItems, bare.failedItems], [null, null, null])
})

scenario("a test task is started again", async (sdk) => {
  const task = await sdk.createTask(automation, {}, true)
  await sdk.finishTask(task.id, 'FAILED')
  const again = await sdk.restartTask(String(task.id))
  assert.deepEqual([again.id, again.state, again.finishStatus ?? null], [task.id, 'START', null])
})

scenario("what is not there is refused with a message", async (sdk) => {
  const none = unique('none')
  for (const call of [
    () => sdk.createTask(none, {}),
    () => sdk.getTask(999999999),
    () => sdk.getTask('abc'),
    () => sdk.finishTask(999999999, 'SUCCESS'),
    () => sdk.restartTask(999999999),
    () => sdk.interruptTask(999999999),
    () => sdk.getLog(none),
    () => sdk.fetchDataLog(none),
    () => sdk.logEntry(none, {}),
    () => sdk.deleteLog(none),
    () => sdk.createAlert(999999999, 't', 'm', 'INFO'),
    () => sdk.upload('/api/v2/artifact/log/999999999', 'a.txt', Buffer.from('x')),
    () => sdk.createError(999999999, new Error('e'), {}, null, []),
    () => sdk.getCredential(none, 'key')
  ]) {
    await refusal(call)
  }
  // Of bytes the SDK can read no message; it is enough that this fails.
  await assert.rejects(() => sdk.downloadCsvLog(none))
  await assert.rejects(() => sdk.downloadArtifact(999999999))
})

scenario("values that mean nothing are refused with a message", async (sdk) => {
  const task = await sdk.createTask(automation, {})
  await refusal(() => sdk.finishTask(task.id, 'WELL_DONE'))
  await refusal(() => sdk.createAlert(task.id, 't', 'm', 'SHOUT'))
  await refusal(() => sdk.createTask(automation, {}, false, 99))
})

scenario("a log is made, written, read, exported and deleted", async (sdk) => {
  const label = unique('TestCI')
  const columns = [column('Date/Time', 'timestamp', 300), column('# Records', 'records', 200), column('Status', 'status', 100)]

  const log = await sdk.createLog(label, columns)
  assert.equal(log.activityLabel, label)
  await sdk.logEntry(label, { timestamp: new Date().toISOString(), records: 10, status: 'SUCESSO, não "falha"' })
  await sdk.logEntry(label, { records: 0.5 })

  const read = await sdk.getLog(label)
  assert.equal(read.id, `${workspace}-${label}`)
  assert.equal((await sdk.getLog(read.id)).activityLabel, label)
  assert.deepEqual(read.columns.map((item) => [item.name, item.label, item.width]), columns.map((item) => [item.name, item.label, item.width]))
  assert.ok((await sdk.getLogs()).some((item) => item.id === read.id))

  const entries = await sdk.fetchDataLog(label)
  assert.deepEqual(entries.map((entry) => Object.keys(entry.columns).sort()), [0, 1].map(() => ['records', 'status', 'timestamp']))
  assert.deepEqual(entries.map((entry) => entry.columns.records).sort(), [0.5, 10])
  assert.ok(entries.every((entry) => !Number.isNaN(Date.parse(entry.dateCreation))))

  const csv = (await sdk.downloadCsvLog(label)).toString('utf8')
  assert.ok(csv.includes('# Records') && csv.includes('não'), csv)

  await sdk.deleteLog(label)
  await refusal(() => sdk.getLog(label))
})

scenario("alerts of each type come back with it", async (sdk) => {
  const task = await sdk.createTask(automation, {})
  for (const type of ['INFO', 'WARN', 'ERROR']) {
    const alert = await sdk.createAlert(task.id, `An ${type}`, 'This is an alert', type)
    assert.equal(alert.type, type)
  }
})

scenario("a message to nobody known is taken", async (sdk) => {
  await sdk.createMessage(['someone@mail.example'], [], 'Relatório', '<b>Olá</b>', 'HTML')
  await sdk.createMessage(['someone@mail.example'], undefined, 'Relatório', 'Olá', 'TEXT')
})

scenario("a result file is uploaded, listed and downloaded", async (sdk) => {
  const task = await sdk.createTask(automation, {})
  const bytes = randomBytes(300_000)

  const artifact = await sdk.uploadArtifact(task.id, 'My Artifact', 'My artifact', 'relatório é 1.pdf', bytes)
  const empty = await sdk.uploadArtifact(String(task.id), 'Empty', '/tmp/empty.txt', 'empty.txt', Buffer.alloc(0))

  assert.ok((await sdk.downloadArtifact(artifact.id)).equals(bytes))
  assert.equal((await sdk.downloadArtifact(empty.id)).length, 0)
  const page = await sdk.getArtifacts('1000', '0', ['dateCreation', 'desc'], '1')
  const [found] = page.content.filter((item) => item.id === artifact.id)
  assert.deepEqual([found.taskId, found.name, found.fileName], [task.id, 'My Artifact', 'My artifact'])
})

scenario("pages of result files say where they are, also beyond the end", async (sdk) => {
  const task = await sdk.createTask(automation, {})
  for (const name of ['a', 'b', 'c']) await sdk.uploadArtifact(task.id, name, `${name}.txt`, `${name}.txt`, PNG)

  const first = await sdk.getArtifacts('2', '0', [], '1')
  assert.deepEqual([first.content.length, first.size, first.number, first.first, first.last], [2, 2, 0, true, false])
  assert.deepEqual([first.numberOfElements, first.empty], [2, false])
  assert.equal(first.totalPages, Math.ceil(first.totalElements / 2))
  assert.deepEqual([first.pageable.pageNumber, first.pageable.pageSize, first.pageable.offset], [0, 2, 0])

  const beyond = await sdk.getArtifacts('2', '99999', [], '1')
  assert.deepEqual([beyond.content, beyond.empty, beyond.last], [[], true, true])
})

scenario("an error is reported with a screenshot and attachments", async (sdk) => {
  const task = await sdk.createTask(automation, {})
  try {
    null.nothing()
  } catch (error) {
    const tags = { customer: 'Ação', user_name: 'me', node_version: process.version }
    const created = await sdk.createError(task.id, error, tags, PNG, [['saída do bot.txt', Buffer.from('x')]])
    assert.ok(created.id)
  }
})

scenario("a credential is read as axios reads any text", async (sdk) => {
  const label = unique('keys')
  const values = { plain: 'senha é ção', digits: '42', zeros: '00123', object: '{"a":1}', number: 7, lines: 'a\nb', quoted: '"x"' }
  for (const [name, value] of Object.entries(values)) await sdk.createCredential(label, name, value)

  const read = {}
  for (const name of Object.keys(values)) read[name] = await sdk.getCredential(label, name)

  assert.deepEqual(read, { plain: 'senha é ção', digits: 42, zeros: '00123', object: { a: 1 }, number: 7, lines: 'a\nb', quoted: 'x' })
  const known = await sdk.getCredentialByLabel(label)
  assert.deepEqual(known.secrets.map((secret) => secret.key).sort(), Object.keys(values).sort())
  await refusal(() => sdk.getCredential(label, 'absent'))
})

scenario("a set of credentials that is not there is null", async (sdk) => {
  assert.equal(await sdk.getCredentialByLabel(unique('none')), null)
})

const sdk = new Sdk()
await sdk.login()
for (const { name, play } of scenarios) {
  const error = await play(sdk).then(() => null, (thrown) => String(thrown.stack ?? thrown))
  console.log(JSON.stringify({ name, error }))
}
agent.destroy()
