// Package advice knows what to do about a finding: how Kindly behaves there, and
// code that closes it, in the languages in which
// integrations are written.
//
//	advice.Kindly(rule)                    // in words
//	advice.SampleFor(rule, "python-pyjwt") // in code
//	advice.Recognise(signs)                // which language it is
//
// The samples are programs: samples/STACK holds an auth endpoint and a webhook
// each, whose regions are what is shown. Tests start those that this machine
// can run and check them with the whole catalogue, so that no sample is wrong;
// they also take single lines out, and see the checks fail.
package advice
