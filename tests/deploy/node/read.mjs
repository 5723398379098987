// Reads a state machine as others do: asl-validator checks the definition, the official jsonata evaluates expressions.
//
// In, on standard input: {"definition": …, "expressions": [[text, $states], …]}
// Out: {"problems": [text, …], "values": [[value] or [] when it is undefined, …]}
import jsonata from "jsonata";
import aslValidator from "asl-validator";
import { text } from "node:stream/consumers";

const { definition, expressions } = JSON.parse(await text(process.stdin));
const { errors } = aslValidator(definition);
const values = [];
for (const [expression, states] of expressions) {
  const value = await jsonata(expression).evaluate({}, { states });
  values.push(value === undefined ? [] : [value]);
}
console.log(JSON.stringify({ problems: errors.map((one) => JSON.stringify(one)), values }));
