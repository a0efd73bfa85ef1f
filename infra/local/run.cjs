'use strict';

// Runs a script of this folder by its name. In words that a Node of 2018 can read: the scripts are in newer ones, and
// such a Node would end with a syntax error in place of the line that says which one to install.
const oldest = 18;
const [major] = process.versions.node.split('.');

if (Number(major) < oldest) {
  process.stderr.write(
    `Node ${require('../../package.json').engines.node.replace('>=', '')} or newer is needed, and this is ${process.versions.node}: install Node 20, 22 or 24\n`,
  );
  process.exit(1);
}
const [name] = process.argv.splice(2, 1);
import(`./${name}.mjs`);
