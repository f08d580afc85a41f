export { type Fused, fuse } from './fuse.ts'
export { HASH_MODEL, hashVector } from './hash-model.ts'
export { type Match, nearest, storeEmbedding } from './store.ts'
