import { clone, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import { type ModelProto, ModelProtoSchema } from './generated/onnx_pb.js';

/**
 * The digest of what a model computes as its file says it: operators, what they are given, weights. Names, producers,
 * descriptions and the order of weights are left out, so that a file that differs in them only has the same one.
 */
export function contentDigest(model: Uint8Array): Digest {
  return digestOf(toBinary(ModelProtoSchema, unnamed(fromBinary(ModelProtoSchema, model))));
}

function unnamed(given: ModelProto): ModelProto {
  const model = clone(ModelProtoSchema, given);
  Object.assign(model, { producerName: '', producerVersion: '', domain: '', modelVersion: 0n, docString: '' });
  model.metadataProps = [];
  const { graph } = model;
  if (graph === undefined) return model;
  Object.assign(graph, { name: '', docString: '', valueInfo: [], metadataProps: [], quantizationAnnotation: [] });
  // Each value is called after its first appearance; what is left out on purpose has the empty name.
  const names = new Map<string, string>([['', '']]);
  const named = (name: string): string => {
    const known = names.get(name) ?? `v${names.size}`;
    names.set(name, known);
    return known;
  };
  for (const value of graph.input) Object.assign(value, { name: named(value.name), docString: '', metadataProps: [] });
  for (const node of graph.node) {
    Object.assign(node, { name: '', docString: '', overload: '', metadataProps: [] });
    node.input = node.input.map(named);
    node.output = node.output.map(named);
    for (const attribute of node.attribute) {
      attribute.docString = '';
      for (const tensor of [attribute.t, ...attribute.tensors])
        if (tensor !== undefined) Object.assign(tensor, { name: '', docString: '', metadataProps: [] });
    }
    node.attribute.sort((a, b) => (a.name < b.name ? -1 : 1));
  }
  for (const value of graph.output) Object.assign(value, { name: named(value.name), docString: '', metadataProps: [] });
  for (const tensor of graph.initializer)
    Object.assign(tensor, { name: named(tensor.name), docString: '', metadataProps: [] });
  graph.initializer.sort((a, b) => (a.name < b.name ? -1 : 1));
  return model;
}
