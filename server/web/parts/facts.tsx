import type { ComponentChildren } from 'preact'

/** Facts and what they are, one under the other; those without a value are left out. */
export const Facts = ({ of: facts }: { of: readonly (readonly [string, ComponentChildren])[] }) => (
  <dl class="facts">
    {facts.map(([name, value]) =>
      value === undefined || value === null || value === '' || value === false ? null : (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ),
    )}
  </dl>
)
