"""Real Kubernetes nodes on one Linux machine, without a container engine: kubelet, containerd and real containers.

`cluster`        start a control plane with a node in each of three zones, and remove all of it whatever happened
`node`           one node: lose it, partition it, reboot it, bring it back
`machine`        the namespaces that everything runs in: they end with one process
`control_plane`  etcd, the API server, its controllers, the scheduler and a DNS server
`images`         the container images, packed from Debian's packages and this machine's Python
"""
