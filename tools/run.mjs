// The one script behind `npm start`, `npm test` and the others. It has no dependencies, because it is what
// installs them; and nothing but the version check may stand here, because an old Node must still parse it.
const WANTED = [20, 19];

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < WANTED[0] || (major === WANTED[0] && minor < WANTED[1])) {
  console.error(
    `AgentState needs Node ${WANTED.join('.')} or newer; this is ${process.version}. ` +
      'Install a current Node (https://nodejs.org) and run the command again.',
  );
  process.exitCode = 1;
} else {
  import('./runner/main.mjs')
    .then(({ main }) => main(process.argv.slice(2)))
    .then((code) => {
      process.exitCode = code;
    });
}
