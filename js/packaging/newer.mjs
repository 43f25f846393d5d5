// Finds the globals, and the members of globals, that a script uses. A name that is declared in a function counts for
// the whole function, and not only for the block of the declaration. This is precise enough for bundles.
import { parseAst } from 'rollup/parseAst'

/**
 * @param {string} source the code of a module or of a CommonJS file
 * @returns {Set<string>} `fetch` stands for a global, `URL.canParse` for a member of a global, and `.toSorted` for a
 * member of any object
 */
export function usedIn(source) {
  const used = new Set()
  visit(parseAst(source), [], used)
  return used
}

function visit(node, scopes, used) {
  const inner = 'body' in node && ('params' in node || node.type === 'Program') ? [declaredIn(node), ...scopes] : scopes
  const globalName = expression => nameOf(expression, inner)
  if (node.type === 'Identifier' && globalName(node)) used.add(node.name)
  if (node.type === 'MemberExpression') {
    const name = memberName(node)
    const object = globalName(node.object)
    if (name !== undefined) {
      used.add(`.${name}`)
      if (object === 'globalThis') used.add(name)
      else if (object) used.add(`${object}.${name}`)
    }
  }
  if (node.type === 'VariableDeclarator' && node.id.type === 'ObjectPattern' && node.init) {
    const object = globalName(node.init)
    for (const { key } of node.id.properties.filter(({ key, computed }) => object && key && !computed))
      used.add(object === 'globalThis' ? key.name : `${object}.${key.name}`)
  }
  for (const child of childrenOf(node)) visit(child, inner, used)
}

/**
 * Returns the name of a global, even if the script writes the global as `globalThis.x`. Returns `undefined` for names
 * that the script declares.
 */
function nameOf(expression, scopes) {
  const { type, name, object } = expression
  if (type === 'ChainExpression') return nameOf(expression.expression, scopes)
  if (type === 'Identifier') return scopes.some(names => names.has(name)) ? undefined : name
  if (type === 'MemberExpression' && nameOf(object, scopes) === 'globalThis') return memberName(expression)
  return undefined
}

function memberName({ computed, property }) {
  if (!computed) return property.name
  return property.type === 'Literal' && typeof property.value === 'string' ? property.value : undefined
}

/** Returns the names that a function declares. The names that inner functions declare are left out. */
function declaredIn(scope) {
  const names = new Set(['arguments'])
  const pattern = node => {
    if (node.type === 'Identifier') names.add(node.name)
    else if (node.type === 'AssignmentPattern') pattern(node.left)
    else for (const child of childrenOf(node)) pattern(child)
  }
  const collect = node => {
    if (node.type === 'VariableDeclarator') pattern(node.id)
    else if (/^Import\w*Specifier$/.test(node.type)) pattern(node.local)
    else if (node.type === 'CatchClause' && node.param) pattern(node.param)
    else if (/^(Function|Class)/.test(node.type) && node.id) pattern(node.id)
    if (node === scope || !('params' in node)) for (const child of childrenOf(node)) collect(child)
  }
  for (const param of scope.params ?? []) pattern(param)
  collect(scope)
  return names
}

/** Returns the child nodes. The names of members and labels are left out, because they are not references. */
function childrenOf(node) {
  return Object.entries(node)
    .filter(([key]) => !((key === 'key' || key === 'property') && !node.computed) && key !== 'label')
    .flatMap(([, value]) => value)
    .filter(value => typeof value?.type === 'string')
}
