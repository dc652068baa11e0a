import { describeProofRules, describeProofs } from './proof-scenarios.ts'

describeProofs('files')
describeProofRules()
