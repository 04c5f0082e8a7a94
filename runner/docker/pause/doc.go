// Package pause is the program of a sandbox: the process that holds a network
// namespace for the containers that join it.
//
// It makes addresses unreachable by blackhole routes, gives up every capability,
// says that it is ready and waits to be told to end. What joins the namespace
// has no CAP_NET_ADMIN, and so cannot undo the routes.
//
// It runs in an image that holds nothing but the program, once for each sandbox,
// so it imports little and allocates less. By itself it has 0.8 MiB of memory of
// its own; as a command of slipway 3.9 MiB, since Go initializes all packages of
// a program before main (GODEBUG=inittrace=1 shows what each takes): ours make
// their larger tables when they need them, the rest is that of libraries. The
// 15 MiB of the program's file that it maps are shared by all sandboxes. To give
// back what is garbage by then saves 0.2 MiB, which is not worth the time. (Go
// 1.26, linux/amd64: Anonymous and Pss_File of smaps_rollup.)
package pause
