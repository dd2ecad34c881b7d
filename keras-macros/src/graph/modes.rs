//! Two sequences of calls, one for training and one for inference, written as one.

use std::collections::HashSet;

use super::CallId;

/// Calls that follow each other in a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Group {
    /// A call of both modes.
    Always(CallId),
    /// Calls that only one mode has here.
    Either {
        /// Those of training.
        training: Vec<CallId>,
        /// Those of inference.
        inference: Vec<CallId>,
    },
}

/// Keeps the order of both sequences; what they have in common, in the same order, is written once.
pub fn merge(training: &[CallId], inference: &[CallId]) -> Vec<Group> {
    if training == inference {
        return training.iter().copied().map(Group::Always).collect();
    }
    let mut groups = Vec::new();
    let (mut t, mut i) = (training, inference);
    for call in common(training, inference) {
        let before = |calls: &[CallId]| calls.iter().position(|&c| c == call).unwrap_or(0);
        let (in_training, in_inference) = (before(t), before(i));
        either(&mut groups, &t[..in_training], &i[..in_inference]);
        groups.push(Group::Always(call));
        (t, i) = (&t[in_training + 1..], &i[in_inference + 1..]);
    }
    either(&mut groups, t, i);
    groups
}

fn either(groups: &mut Vec<Group>, training: &[CallId], inference: &[CallId]) {
    if !training.is_empty() || !inference.is_empty() {
        groups.push(Group::Either {
            training: training.to_vec(),
            inference: inference.to_vec(),
        });
    }
}

/// The longest common subsequence of two sequences without repetitions.
fn common(training: &[CallId], inference: &[CallId]) -> Vec<CallId> {
    let in_both = |calls: &[CallId], others: &[CallId]| -> Vec<CallId> {
        let others: HashSet<CallId> = others.iter().copied().collect();
        let calls = calls.iter().copied();
        calls.filter(|call| others.contains(call)).collect()
    };
    let (t, i) = (in_both(training, inference), in_both(inference, training));
    if t == i {
        return t;
    }
    // length[a][b]: of the longest common subsequence of t[a..] and i[b..].
    let mut length = vec![vec![0usize; i.len() + 1]; t.len() + 1];
    for a in (0..t.len()).rev() {
        for b in (0..i.len()).rev() {
            length[a][b] = if t[a] == i[b] {
                length[a + 1][b + 1] + 1
            } else {
                length[a + 1][b].max(length[a][b + 1])
            };
        }
    }
    let (mut a, mut b) = (0, 0);
    let mut common = Vec::new();
    while a < t.len() && b < i.len() {
        if t[a] == i[b] {
            common.push(t[a]);
            (a, b) = (a + 1, b + 1);
        } else if length[a + 1][b] >= length[a][b + 1] {
            a += 1;
        } else {
            b += 1;
        }
    }
    common
}

#[cfg(test)]
mod tests {
    use super::*;

    fn either(training: &[CallId], inference: &[CallId]) -> Group {
        Group::Either {
            training: training.to_vec(),
            inference: inference.to_vec(),
        }
    }

    #[test]
    fn what_both_modes_do_is_written_once() {
        use Group::Always;
        assert_eq!(merge(&[0, 1], &[0, 1]), [Always(0), Always(1)]);
        assert_eq!(
            merge(&[0, 1, 2], &[0, 3]),
            [Always(0), either(&[1, 2], &[3])]
        );
        assert_eq!(
            merge(&[0, 1, 4], &[0, 3, 4]),
            [Always(0), either(&[1], &[3]), Always(4)]
        );
    }

    #[test]
    fn another_order_is_kept_for_each_mode() {
        let groups = merge(&[0, 1, 2], &[0, 2, 1]);
        let (mut training, mut inference) = (Vec::new(), Vec::new());
        for group in groups {
            match group {
                Group::Always(call) => {
                    training.push(call);
                    inference.push(call);
                }
                Group::Either {
                    training: t,
                    inference: i,
                } => {
                    training.extend(t);
                    inference.extend(i);
                }
            }
        }
        assert_eq!((training, inference), (vec![0, 1, 2], vec![0, 2, 1]));
    }
}
