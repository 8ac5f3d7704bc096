import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  schema: 'node_modules/vkyc-gateway/schema/schema.graphql',
  documents: 'node_modules/vkyc-gateway/schema/operations.graphql',
  importExtension: '.ts',
  generates: {
    'src/generated/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        documentMode: 'string',
        useTypeImports: true,
        enumType: 'string-literal',
        scalars: { DateTime: 'string' },
        strictScalars: true,
      },
    },
  },
};
export default config;
