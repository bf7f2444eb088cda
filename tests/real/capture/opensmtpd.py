SCENES: tuple[()] = ()
