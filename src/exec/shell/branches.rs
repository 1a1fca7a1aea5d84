//! Branches of which it cannot be told whether they are taken.

use crate::format::shell::Statement;

use super::run::{Flow, JUDGED};
use super::{End, Shell, State};

/// How often the rest of a list is followed twice, once for each of two sets of arguments.
const MAX_SPLITS: usize = 5;

impl Shell<'_> {
    /// Both ways, where it cannot be told which. An end on only one of them is one that may happen.
    pub(super) fn fork(&mut self, left: impl FnOnce(&mut Self) -> Flow, right: impl FnOnce(&mut Self) -> Flow) -> Flow {
        self.settle();
        self.spend(self.state.size());
        let before = self.state.clone();
        let left = left(self);
        self.settle();
        let after_left = std::mem::replace(&mut self.state, before);
        let right = right(self);
        self.settle();
        match (left, right) {
            (Flow::End(left), Flow::End(right)) if left == right => Flow::End(left),
            (Flow::End(left), Flow::End(right)) => {
                self.aside(left);
                Flow::End(right)
            }
            (Flow::End(end), other) => {
                self.aside(end);
                other
            }
            (other, Flow::End(end)) => {
                self.aside(end);
                self.state = after_left;
                other
            }
            (Flow::Return(status), Flow::Next(next)) => {
                self.returns.push((after_left, status));
                Flow::Next(next)
            }
            (Flow::Next(next), Flow::Return(status)) => {
                self.returns.push((std::mem::replace(&mut self.state, after_left), status));
                Flow::Next(next)
            }
            (Flow::Return(left), Flow::Return(right)) => {
                self.state.merge(after_left);
                Flow::Return(if left == right { left } else { None })
            }
            (Flow::Next(left), Flow::Next(right)) => {
                self.join(after_left);
                Flow::Next(if left == right { left } else { None })
            }
        }
    }

    /// Runs what a `return` leads out of: on a branch that returned, what came behind it was not run.
    pub(super) fn returning(&mut self, run: impl FnOnce(&mut Self) -> Flow) -> Flow {
        let outer = std::mem::take(&mut self.returns);
        let mut flow = run(self);
        self.settle();
        for (state, status) in std::mem::replace(&mut self.returns, outer) {
            flow = match flow {
                Flow::End(end) => {
                    self.aside(end);
                    self.state = state;
                    Flow::Next(status)
                }
                Flow::Next(own) | Flow::Return(own) => {
                    self.state.merge(state);
                    Flow::Next(if own == status { own } else { None })
                }
            };
        }
        match flow {
            Flow::Return(status) => Flow::Next(status),
            other => other,
        }
    }

    /// Goes on after either of two branches. Where they leave other arguments (`set -- app "$@"`), which the script's end is about,
    /// the other branch is kept for [`Shell::all`] to follow too.
    fn join(&mut self, other: State) {
        if self.state.arguments != other.arguments && self.splits < MAX_SPLITS {
            self.splits += 1;
            self.other_arguments = Some(Box::new(other));
        } else {
            self.state.merge(other);
        }
    }

    /// What goes on in one way is true after either branch.
    pub(super) fn settle(&mut self) {
        if let Some(other) = self.other_arguments.take() {
            self.state.merge(*other);
        }
    }

    /// Runs what may run any number of times.
    pub(super) fn maybe(&mut self, statements: &[Statement]) {
        let flow = self.fork(|shell| shell.all(statements, JUDGED), |_| Flow::Next(None));
        // Twice: what the first round changes, the second reads.
        if let Flow::Next(_) = flow {
            let again = self.fork(|shell| shell.all(statements, JUDGED), |_| Flow::Next(None));
            if let Flow::End(end) = again {
                self.aside(end);
            }
        }
    }

    /// Keeps an end that may happen; rounds of a loop may lead to the same one.
    fn aside(&mut self, end: End) {
        if !self.others.contains(&end) {
            self.others.push(end);
        }
    }
}
