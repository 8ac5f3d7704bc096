/** Texts of the export of the list as a CSV file. */
export const exporting = {
  start: 'Export as CSV',
  cancel: 'Cancel export',
  soFar: (count: string) => `Exported so far: ${count}`,
  done: (count: string) => `Sessions exported: ${count}`,
  incomplete:
    'The connection was lost before the end of the file, so no file was saved. Check your connection and export again.',
};
