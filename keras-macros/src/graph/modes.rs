//! Two sequences of calls, one for training and one for inference, written as one.

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

/// Keeps the order of both sequences; what they have in common, in the same order, is written once
/// (their longest common subsequence).
pub fn merge(training: &[CallId], inference: &[CallId]) -> Vec<Group> {
    let (t, i) = (training.len(), inference.len());
    let begin = training.iter().zip(inference);
    let begin = begin.take_while(|(a, b)| a == b).count();
    if begin == t && begin == i {
        return training.iter().copied().map(Group::Always).collect();
    }
    // length[a][b]: of the longest common subsequence of training[a..] and inference[b..].
    let mut length = vec![vec![0usize; i + 1]; t + 1];
    for a in (begin..t).rev() {
        for b in (begin..i).rev() {
            length[a][b] = if training[a] == inference[b] {
                length[a + 1][b + 1] + 1
            } else {
                length[a + 1][b].max(length[a][b + 1])
            };
        }
    }
    let mut groups: Vec<Group> = training[..begin]
        .iter()
        .copied()
        .map(Group::Always)
        .collect();
    let (mut a, mut b) = (begin, begin);
    while a < t || b < i {
        if a < t && b < i && training[a] == inference[b] {
            groups.push(Group::Always(training[a]));
            (a, b) = (a + 1, b + 1);
            continue;
        }
        if !matches!(groups.last(), Some(Group::Either { .. })) {
            groups.push(Group::Either {
                training: Vec::new(),
                inference: Vec::new(),
            });
        }
        let Some(Group::Either {
            training: in_training,
            inference: in_inference,
        }) = groups.last_mut()
        else {
            break;
        };
        if a < t && (b == i || length[a + 1][b] >= length[a][b + 1]) {
            in_training.push(training[a]);
            a += 1;
        } else {
            in_inference.push(inference[b]);
            b += 1;
        }
    }
    groups
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
