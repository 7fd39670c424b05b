"""Where kube-scheduler would put an app's pods, what survives, and whether a rollout would finish: pure functions.

`haapp.placement.scheduler` answers one question of the operator's fast and for one app; here whole pods are scheduled
among all others of a cluster, by the default plugins' filters and scores of kube-scheduler 1.37. Held against the real
one by tests. Not modelled: volumes, image locality, preemption, dynamic resources, and that in clusters of 100 nodes
and more the scheduler looks at a part of the nodes only.
"""
