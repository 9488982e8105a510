import type { Descriptor, FeaturePart } from "../descriptor.ts";

/** The same descriptor, which says what its features are. */
export function withParts(descriptor: Descriptor, parts: readonly (readonly FeaturePart[])[]): Descriptor {
  const { cutoff, smoothness, elements } = descriptor;
  return {
    cutoff,
    smoothness,
    elements,
    size: (e) => descriptor.size(e),
    labels: (e) => descriptor.labels(e),
    parts: (e) => parts[e],
    forward: (env, G) => descriptor.forward(env, G),
    pullback: (env, dEdG, gradient) => descriptor.pullback(env, dEdG, gradient),
    pushforward: (env, tangents, dG) => descriptor.pushforward(env, tangents, dG),
    jacobian: (env, c, rows) => descriptor.jacobian(env, c, rows),
  };
}
