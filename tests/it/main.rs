//! What a user can do, each in a file of its own, as processes on temporary trees.

mod corpus;
mod differences;
