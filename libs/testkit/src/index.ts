export {
  type DataDrivenArgument,
  type DataDrivenCase,
  dataDrivenFiles,
  parseDataDriven,
  runDataDriven,
  runDataDrivenFile,
  sharedFolder,
} from './datadriven';
