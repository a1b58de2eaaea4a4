/* Preloaded into the ranks of a run, it keeps every byte that they hand to MPI for other ranks: $RECORD.RANK.data has what the program exchanges,
   $RECORD.RANK.control signs of life, words (one saves, has saved), failures and hosts. tests/cli/federated.sh knows that the program sends by these two functions alone. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

static void keep(const char *kind, const void *bytes, size_t size)
{
    char path[4096];
    int rank;
    PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
    snprintf(path, sizeof path, "%s.%d.%s", getenv("RECORD"), rank, kind);
    FILE *f = fopen(path, "ab");
    if (!f || fwrite(bytes, 1, size, f) != size || fclose(f)) abort();
}

int MPI_Isend(const void *bytes, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm, MPI_Request *request)
{
    int size;
    PMPI_Type_size(type, &size);
    keep(type == MPI_BYTE ? "data" : "control", bytes, (size_t)count * (size_t)size);
    return PMPI_Isend(bytes, count, type, to, tag, comm, request);
}

int MPI_Allgather(const void *send, int sends, MPI_Datatype type, void *all, int count, MPI_Datatype each, MPI_Comm comm)
{
    int rank, size;
    PMPI_Comm_rank(comm, &rank);
    PMPI_Type_size(each, &size);
    if (send == MPI_IN_PLACE) keep("control", (char *)all + (size_t)rank * (size_t)count * (size_t)size, (size_t)count * (size_t)size);
    else keep("control", send, (size_t)count * (size_t)size);
    return PMPI_Allgather(send, sends, type, all, count, each, comm);
}
