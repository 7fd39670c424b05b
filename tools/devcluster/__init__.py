"""A real Kubernetes control plane with fake nodes on one machine, for `make demo` and the tests.

Nothing but the standard library, so that the binaries can be built before there is a virtual environment.

`binaries`  finds or builds etcd, the control plane, kubectl and kwok
`cluster`   creates, finds and deletes clusters of them
`shell`     runs commands and waits
`nodes`     fake nodes: add, delete, switch off and on, taint
`audit`     counts the requests that the API server got
`process`   runs the operator beside a cluster
`demo`      `make demo`

What a fake node does with a pod, and the annotations that make a pod misbehave, stand in stages/pods.yaml.
"""
