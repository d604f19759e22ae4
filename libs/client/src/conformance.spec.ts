import { testConformance } from '../testing/conformance-suite.js';
import { Client } from './index.js';

/** The goal: this client does what every SDK does. The method: the shared cases, against the shared server. */
describe('conformance', () => testConformance(() => Client));
