import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { connectContainer, prepareNetwork, serveNames, sh } from './container-network.mjs';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const docker = join(repository, 'infra/docker');
const dockerfile = readFileSync(join(docker, 'Dockerfile'), 'utf8');
const patienceMs = 120_000;
const leftOut = ['grafana'];
/** The conformance kit asks for codes faster than a user may. */
const trialEnvironment = { LIMITS_ENABLED: 'false' };

function say(line) {
  process.stdout.write(`${line}\n`);
}

/** As the container's user, on the image's root, which is read-only. */
const enter = `
set -e
root=$1; shift
mount --bind "$root" "$root"
touch "$root/etc/resolv.conf"
mount --bind /etc/resolv.conf "$root/etc/resolv.conf"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 dev "$root/dev"
for name in null zero random urandom; do touch "$root/dev/$name"; mount --bind "/dev/$name" "$root/dev/$name"; done
exec setpriv --no-new-privs chroot --userspec=USER --groups= "$root" "$@"`;

/** One run of compose.yaml, in namespaces of its own. */
export class ComposeTrial {
  #root;
  #folder;
  #containers = [];
  #addresses = new Map();
  #failed = 0;

  /** @param root of the image @param folder for data and logs */
  constructor(root, folder) {
    this.#root = root;
    this.#folder = folder;
  }

  /** @returns whether all checks passed @throws Error when a service does not start */
  async run() {
    const { services } = parse(readFileSync(join(docker, 'compose.yaml'), 'utf8'), { merge: true });
    const resolv = join(this.#folder, 'resolv.conf');
    writeFileSync(resolv, `nameserver ${prepareNetwork()}\n`);
    sh('mount', '--bind', resolv, '/etc/resolv.conf');
    for (const [service, spec] of Object.entries(services)) {
      if (leftOut.includes(service) || spec.profiles) continue;
      const replicas = spec.deploy?.replicas ?? 1;
      for (let replica = 1; replica <= replicas; replica += 1) this.#create(service, spec, replica);
    }
    await serveNames(this.#addresses);
    for (const container of this.#containers) await this.#start(container);
    await this.#check('HEALTHCHECK says that each program lives', () => this.#checkHealth());
    await this.#check('hooligram status finds every gateway and core, and all is well', () =>
      this.#checkStatus(),
    );
    await this.#check('Prometheus reads every gateway, core and HAProxy', () => this.#checkTargets());
    await this.#check('the conformance kit, through HAProxy', () => this.#checkConformance());
    await this.#check('each program ends with 0 in its stop_grace_period', () => this.#checkStop());
    return this.#failed === 0;
  }

  #create(service, spec, replica) {
    const name = `${service}.${replica}`;
    const address = connectContainer(name, this.#containers.length + 10);
    this.#addresses.set(service, [...(this.#addresses.get(service) ?? []), address]);
    this.#containers.push({ service, spec, name, address, isOwn: spec.image === 'hooligram' });
  }

  /** When what it depends on is as compose.yaml says. */
  async #start(container) {
    const { service, spec, name, isOwn } = container;
    const wanted = Array.isArray(spec.depends_on)
      ? spec.depends_on.map((each) => [each, {}])
      : Object.entries(spec.depends_on ?? {});
    for (const [other, { condition }] of wanted) {
      for (const each of this.#containers.filter((one) => one.service === other))
        await this.#until(each, condition);
    }
    for (const volume of spec.volumes ?? []) this.#mount(volume);
    const argv = isOwn
      ? [...JSON.parse(/^ENTRYPOINT (.*)$/m.exec(dockerfile)[1]), ...spec.command]
      : this.#standIn(service, spec);
    say(`starting ${name}: ${(spec.command ?? argv).join(' ')}`);
    const log = openSync(join(this.#folder, `${name}.log`), 'w');
    container.process = this.#spawn(container, argv, log);
    container.ended = new Promise((done) => container.process.on('exit', (code) => done(code)));
  }

  /** Those files that compose.yaml mounts, in a folder of this trial's own over the one of this machine. */
  #mount(volume) {
    const [source, target] = volume.split(':');
    if (!source.startsWith('.')) return;
    let over = dirname(target);
    while (!existsSync(over)) over = dirname(over);
    if (over.split('/').length < 3) throw new Error(`this machine has no folder for ${target}`);
    if (spawnSync('mountpoint', ['-q', over]).status !== 0) sh('mount', '-t', 'tmpfs', 'tmpfs', over);
    mkdirSync(dirname(target), { recursive: true });
    sh('cp', '-r', join(docker, source), target);
  }

  /** What a public image would run. */
  #standIn(service, { command, environment }) {
    // Redis' own image is built so.
    if (service === 'redis') return [...command, '--protected-mode', 'no'];
    if (command) return command;
    if (service === 'prometheus')
      return [
        'prometheus',
        '--config.file=/etc/prometheus/prometheus.yml',
        `--storage.tsdb.path=${this.#folder}/prometheus`,
      ];
    if (service !== 'postgres') throw new Error(`what does ${service} run?`);
    const [version] = readdirSync('/usr/lib/postgresql').sort((a, b) => Number(b) - Number(a));
    const bin = `/usr/lib/postgresql/${version}/bin`;
    const data = join(this.#folder, 'postgres');
    const password = join(this.#folder, 'password');
    writeFileSync(password, environment.POSTGRES_PASSWORD);
    sh('chmod', '755', this.#folder);
    sh('install', '-d', '-o', 'postgres', data);
    const asPostgres = ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'];
    sh(
      ...asPostgres,
      `${bin}/initdb`,
      '-D',
      data,
      '-U',
      'postgres',
      '--auth-local=trust',
      '--auth-host=scram-sha-256',
      `--pwfile=${password}`,
    );
    writeFileSync(join(data, 'pg_hba.conf'), 'local all all trust\nhost all all all scram-sha-256\n');
    sh(
      'sh',
      '-c',
      `echo 'CREATE DATABASE ${environment.POSTGRES_DB}' | ${asPostgres.join(' ')} ${bin}/postgres --single -D ${data} postgres`,
    );
    return [...asPostgres, `${bin}/postgres`, '-D', data, '-c', 'listen_addresses=*'];
  }

  #spawn({ spec, name, isOwn }, argv, output) {
    const user = /^USER (.*)$/m.exec(dockerfile)[1];
    const inside = isOwn ? ['sh', '-c', enter.replace('USER', user), 'sh', this.#root] : [];
    const ofImage = isOwn
      ? Object.fromEntries(
          /^ENV (.*)$/m
            .exec(dockerfile)[1]
            .split(' ')
            .map((each) => each.split('=')),
        )
      : {};
    const env = {
      PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
      ...ofImage,
      ...trialEnvironment,
      ...spec.environment,
    };
    return spawn('ip', ['netns', 'exec', name, ...inside, ...argv], {
      cwd: this.#folder,
      env,
      stdio: ['ignore', output, output],
    });
  }

  async #until(container, condition = 'service_started') {
    if (condition === 'service_completed_successfully') {
      const code = await container.ended;
      if (code !== 0) throw new Error(`${container.name} ended with ${code}:\n${this.#log(container)}`);
    } else if (condition === 'service_healthy')
      await this.#untilRuns(container, container.spec.healthcheck.test.slice(1));
  }

  /** @throws Error when the command does not end with 0 in time */
  async #untilRuns(container, argv) {
    const deadline = Date.now() + patienceMs;
    for (;;) {
      const code = await new Promise((done) => this.#spawn(container, argv, 'ignore').on('exit', done));
      if (code === 0) return;
      if (Date.now() > deadline)
        throw new Error(`${container.name}: ${argv[0]} ends with ${code}:\n${this.#log(container)}`);
      await pause(500);
    }
  }

  #log({ name }) {
    return readFileSync(join(this.#folder, `${name}.log`), 'utf8').slice(-3_000);
  }

  #own() {
    return this.#containers.filter(({ isOwn, service }) => isOwn && service !== 'migrate');
  }

  async #check(title, check) {
    try {
      await check();
      say(`passed: ${title}`);
    } catch (error) {
      this.#failed += 1;
      say(`FAILED: ${title}: ${error.message}`);
    }
  }

  async #checkHealth() {
    const argv = JSON.parse(/^\s+CMD (\[.*\])$/m.exec(dockerfile)[1]);
    for (const container of this.#own()) await this.#untilRuns(container, argv);
  }

  #checkStatus() {
    const core = this.#containers.find(({ service }) => service === 'core');
    return this.#untilRuns(core, ['/srv/hooligram/run.sh', 'operator', 'status']);
  }

  async #checkTargets() {
    const { address } = this.#containers.find(({ service }) => service === 'prometheus');
    const deadline = Date.now() + patienceMs;
    for (;;) {
      const answer = await fetch(`http://${address}:9090/api/v1/targets`).then(
        (one) => one.json(),
        () => undefined,
      );
      const targets = answer?.data.activeTargets ?? [];
      const up = targets.filter(({ health }) => health === 'up').length;
      if (up === targets.length && up === this.#own().length + 1) return;
      if (Date.now() > deadline)
        throw new Error(
          targets.map(({ scrapeUrl, health, lastError }) => `${scrapeUrl} ${health} ${lastError}`).join(', '),
        );
      await pause(500);
    }
  }

  async #checkConformance() {
    const { address } = this.#containers.find(({ service }) => service === 'haproxy');
    const kit = join(repository, 'tools/conformance/bin/hooligram-conformance.js');
    const args = ['--code', '000000', '--timeout-ms', '60000', '--url', `ws://${address}:8080/v2`];
    const code = await new Promise((done) =>
      spawn(process.execPath, [kit, ...args], { stdio: 'inherit' }).on('exit', done),
    );
    if (code !== 0) throw new Error(`exit code ${code}`);
  }

  async #checkStop() {
    for (const { name, spec, process: program, ended } of this.#own().reverse()) {
      program.kill('SIGTERM');
      const graceMs = Number.parseInt(spec.stop_grace_period, 10) * 1_000;
      const code = await Promise.race([ended, pause(graceMs, 'still running', { ref: false })]);
      if (code !== 0) throw new Error(`${name}: ${code}`);
    }
  }
}
