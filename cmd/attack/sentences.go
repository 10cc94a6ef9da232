package main

// sentences are what a run must say of a hostile webhook or page, beside what is
// measured, by its name. What is not here may say what it likes.
var sentences = map[string]string{}
