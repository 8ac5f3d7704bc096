/** Subgraphs of other teams, beside which the gateway must compose. */
import { readFileSync } from 'node:fs';
import { type DocumentNode, parse } from 'graphql';

export interface Subgraph {
  readonly name: string;
  readonly url: string;
  readonly typeDefs: DocumentNode;
}

/** Beginning of the SDL of a subgraph of Federation 2. */
export const LINK = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])`;

/** Relay-style subgraph: it has `node`, `nodes`, `viewer` and `PageInfo`, as the gateway's own schema has. */
const RELAY_STYLE = `${LINK}
interface Node { id: ID! }
type PageInfo @shareable {
  hasNextPage: Boolean!
  hasPreviousPage: Boolean!
  startCursor: String
  endCursor: String
}
type Query {
  node(id: ID!): Node
  nodes(ids: [ID!]!): [Node]!
  viewer: Viewer
}
type Viewer { id: ID! orders(first: Int!): OrderConnection! }
type Order implements Node @key(fields: "id") { id: ID! customer: VkycUser verification: VkycSession }
type OrderEdge { node: Order! cursor: String! }
type OrderConnection { edges: [OrderEdge!]! pageInfo: PageInfo! }
type VkycUser @key(fields: "userId") { userId: String! orders(first: Int!): OrderConnection! }
type VkycSession @key(fields: "verificationId", resolvable: false) { verificationId: String! }`;

/** Subgraph whose types have the names of types of the gateway's own schema, with other members. */
const GENERIC_NAMES = `${LINK}
enum Status { OPEN SHIPPED }
type Review @key(fields: "id") { id: ID! stars: Int! status: Status! }
type Meeting { room: String! }
type Note { markdown: String! }
type Assignment { course: String! }
interface MutationError { message: String! }
type ConflictError implements MutationError { message: String! with: String! }
union AddReviewResult = Review | ConflictError
input AddReviewInput { stars: Int! }
type Query { productReviews(status: Status): [Review!]! meetingRooms: [Meeting!]! comments: [Note!]! courses: [Assignment!]! }
type Mutation { addReview(input: AddReviewInput!): AddReviewResult! }`;

/** Returns a subgraph with this SDL. */
export const subgraph = (name: string, sdl: string): Subgraph => ({
  name,
  url: `http://${name}.example.com/graphql`,
  typeDefs: parse(sdl),
});

const committedSdl = readFileSync(new URL('../../schema/subgraph.graphql', import.meta.url), 'utf8');

/** The committed subgraph of the gateway with both peers, whose names the supergraph shows. */
export const SUBGRAPHS: readonly Subgraph[] = [
  subgraph('vkyc', committedSdl),
  subgraph('orders', RELAY_STYLE),
  subgraph('reviews', GENERIC_NAMES),
];

/** The schema as it is without projection, which does not compose with the peers. */
export const UNPROJECTED: readonly Subgraph[] = [
  subgraph(
    'vkyc',
    `${LINK}\n${readFileSync(new URL('../../schema/schema.graphql', import.meta.url), 'utf8')}`,
  ),
  ...SUBGRAPHS.slice(1),
];
