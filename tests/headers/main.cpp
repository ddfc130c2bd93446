/// Compiling and linking is the test.
int main() {}
