module tollgate.dev/e2e/clusters/pause

go 1.24.0
