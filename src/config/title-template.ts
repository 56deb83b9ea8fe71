/**
 * `proc-title-template`: text with variables in braces; `{{` is a brace.
 *
 * Thread: any.
 * Owns: the names of the variables.
 * Never: knows their values.
 */

export type TitleVariable =
  | 'title'
  | 'listen-addr'
  | 'server-mode'
  | 'port'
  | 'tls-port'
  | 'unixsocket'
  | 'config-file'

/** The title; undefined when the template mentions what is no variable, or does not close a brace. */
export function fillTitle(
  template: string,
  values: Readonly<Record<TitleVariable, string>>,
): string | undefined {
  let filled = ''
  let from = 0
  for (let open = template.indexOf('{'); open >= 0; open = template.indexOf('{', from)) {
    filled += template.slice(from, open)
    if (template[open + 1] === '{') {
      filled += '{'
      from = open + 2
      continue
    }
    const close = template.indexOf('}', open)
    const name = close < 0 ? '' : template.slice(open + 1, close)
    if (!isVariable(name, values)) return undefined
    filled += values[name]
    from = close + 1
  }
  return filled + template.slice(from)
}

function isVariable(name: string, values: object): name is TitleVariable {
  return Object.hasOwn(values, name)
}
